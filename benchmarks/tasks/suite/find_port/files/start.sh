#!/bin/sh
# Starts the service with the settings of this site.
SERVICE_PROFILE=site exec python3 service.py "$@"
