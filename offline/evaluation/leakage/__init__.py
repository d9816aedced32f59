"""What leakage protocols would have claimed: ways of evaluating that let test data into training, on purpose.

An audit plans its fits as tasks (`windows`, `scans`), whoever has a model scores them (`ridge`, `network`,
`offline.studies.leakage_audit`), and `audit` puts each protocol beside its honest twin.
"""
