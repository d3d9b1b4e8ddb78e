"""`python -m castor_devstack` is the `castor` command."""

from castor_devstack.cli import main

if __name__ == "__main__":
    main()
