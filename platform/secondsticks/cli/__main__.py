"""`python -m secondsticks.cli`."""

import sys

from secondsticks.cli import main

sys.exit(main())
