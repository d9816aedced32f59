"""Certificates for tests, made by the openssl command: an authority, and whom it signs for how long."""

import subprocess
from pathlib import Path


class Authority:
    """Signs certificates; all files lie in one folder.

    Elliptic keys are made in no time.
    """

    def __init__(self, openssl: str, folder: Path, name: str = "authority") -> None:
        self._openssl, self._folder, self._name = openssl, folder, name
        self._run(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2",
            f"-subj /CN={name} -keyout {name}.key -out {name}.pem",
        )
        self.certificate = folder / f"{name}.pem"

    def sign(self, name: str, *, names: str = "", days: int = 2, password: str = "") -> tuple[Path, Path]:
        """A certificate and its key; ``names`` as in ``IP:127.0.0.1,DNS:localhost``, days below 0: over."""
        sealed = f"-passout pass:{password}" if password else "-nodes"
        self._run(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1",
            f"{sealed} -subj /CN={name} -keyout {name}.key -out {name}.csr",
        )
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        self._run(
            f"x509 -req -in {name}.csr -CA {self._name}.pem -CAkey {self._name}.key -CAcreateserial",
            f"-days {days} -extfile {name}.ext -out {name}.pem",
        )
        key = self._folder / f"{name}.key"
        key.chmod(0o600)
        return self._folder / f"{name}.pem", key

    def _run(self, *words: str) -> None:
        command = [self._openssl, *" ".join(words).split()]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
