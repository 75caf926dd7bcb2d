"""The service: settings are those of defaults.json, with those of the profile over them."""

import json
import os


def settings():
    with open("defaults.json") as file:
        result = json.load(file)
    profile = os.environ.get("SERVICE_PROFILE")
    if profile:
        with open(f"{profile}.json") as file:
            result.update(json.load(file))
    return result


if __name__ == "__main__":
    values = settings()
    print(f"listening on {values['host']}:{values['port']}")
