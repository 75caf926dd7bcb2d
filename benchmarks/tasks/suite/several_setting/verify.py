import json


def verify(place):
    place.check()
    place.expect(json.loads(place.read("settings.json")).get("greeting") == "Hello", "the setting is not in settings.json")
