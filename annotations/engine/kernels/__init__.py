"""The engine's inner loops, compiled: C without Python in it, called through ctypes on numpy's buffers.

`build.py` compiles them with the C compiler of the package ziglang, so that a machine needs none of its own;
`library.py` loads them. Each C file says in its head what it does. Every kernel checks its numbers' bounds,
and writes only into room that Python gave it and told the size of. Why, is in
docs/decisions/compiled-kernels.md.
"""
