"""What the web server loads: `granian --interface wsgi secondsticks.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secondsticks.settings")
application = get_wsgi_application()
