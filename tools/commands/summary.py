"""``hemostream summary``: one session as a page."""

from pathlib import Path

from tools.messages import say
from tools.outputs import Out, check_new_file


def summary(
    journal: Path,
    *,
    out: Out,
    model: Path | None = None,
    run: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write one session as a page: what was recorded, decided, abstained, corrected.

    For fMRI the page holds the list that reports of neurofeedback studies are asked for: volumes, those
    missing, motion, every stage with its settings, delay. What nobody knows is "not stated". Research use
    only: the page is no diagnosis.

    Parameters
    ----------
    journal : Path
        Journal of a live session, also while it is being written.
    out : Path
        Page to write (.html).
    model : Path
        Bundle of the session, for its stages; without it they are not stated.
    run : int
        Which run, where the journal holds several. Default: the last.
    overwrite : bool
        Replace a page that is there already.
    """
    check_new_file(out, "A page", overwrite=overwrite)

    from models.bundle import read_bundle
    from models.errors import BundleError
    from offline.report.session import session_page
    from offline.report.session_data import read_session
    from tools.outputs import whole_file

    data = read_session(journal, run)
    bundle = None if model is None else read_bundle(model)
    if bundle is not None and bundle.card.hash != data.started.model_hash:
        raise BundleError(
            f"The session was predicted by model {data.started.model_hash[:12]}, this bundle is "
            f"{bundle.card.hash[:12]}; give the bundle of the session, or leave --model out."
        )
    page = session_page(data, bundle)
    with whole_file(out) as path:
        page.write(path)
    abstained = data.windows - data.labels.total()
    say(
        f"run {data.started.run} of {data.started.session}: {len(data.stamps)} samples, "
        f"{data.windows} windows, {abstained} of them abstained."
    )
    say(f"Page: {out}")
