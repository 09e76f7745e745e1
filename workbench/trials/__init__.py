"""Many runs of one kernel, none with an edit: every input set and seed, or every fix on trial."""
