"""More partitions for a pipeline at rest: `move` does it for any, `command` for this one."""
