"""A scanner that exports: volumes with known activity and motion as real files, with the faults of real
exports."""
