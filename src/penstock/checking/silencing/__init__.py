"""What silences findings: comments, evidence and baselines."""
