"""``python -m netinsight``."""

from netinsight.cli import main

if __name__ == "__main__":
    main()
