def verify(place):
    wanted = "[limits]\nrequests = 120\nseconds = 30\n"
    place.expect(place.read("limits.ini") == wanted, f"limits.ini is {place.read('limits.ini')!r}")
    place.expect(place.git("log", "-1", "--format=%s") == "Take back the limits", "the last commit has another message")
    place.expect(place.git("show", "HEAD:limits.ini") + "\n" == wanted, "limits.ini is not committed")
    readme = "# Gateway\nLimits are in limits.ini.\nAsk the office for a key.\n"
    place.expect(place.read("README.md") == readme, "README.md has changed")
    place.expect("Tune the limits" in place.git("log", "--format=%s"), "the history was rewritten")
    place.expect(place.git("status", "--porcelain", "--untracked-files=no") == "", "there are changes that are not committed")
