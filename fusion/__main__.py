"""``python -m fusion``: the numerical core on the command line."""

from fusion.cli.main import app

if __name__ == "__main__":
    app(prog_name="python -m fusion")
