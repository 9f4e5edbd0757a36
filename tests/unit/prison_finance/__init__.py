"""Prison finance: the prisoners of one partition, pure."""
