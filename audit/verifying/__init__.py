"""Whether the chains are what was recorded. `soundness` looks at one entry, `sequence` at entries in order, `parts` and
`processes` at many at once, `diagnosis` at the first that is wrong, `one_chain` at a chain and its checkpoints,
`all_chains` at everything."""
