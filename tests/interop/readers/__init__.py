"""Other readers and writers of Parquet, for the tests beside this folder."""
