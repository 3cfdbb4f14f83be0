"""A mutational fuzzer of everything that reads a sealed image and what belongs to it.

`byte_edits`, `json_edits`, `yaml_edits`, `image_edits` and `key_edits` alter genuine samples; each module of
`targets` holds one parser's samples, how they are altered, and how what comes out is judged; `campaign` runs them and
`block` is one process of it. `make bench-seal_fuzz` prints what came of it.
"""
