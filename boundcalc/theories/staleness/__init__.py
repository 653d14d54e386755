"""Layer-wise staleness: pipelines whose blocks run forward with older weights than backward."""
