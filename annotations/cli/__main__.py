"""`python -m annotations.cli` is `gas`."""

from annotations.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
