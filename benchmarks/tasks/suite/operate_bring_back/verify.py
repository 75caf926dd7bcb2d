def verify(place):
    wanted = "[limits]\nrequests = 120\nseconds = 30\n"
    place.expect(place.read("limits.ini") == wanted, f"limits.ini is {place.read('limits.ini')!r}")
    place.expect(place.git("log", "-1", "--format=%s") == "Bring back the limits", "the last commit has another message")
    place.expect(place.git("show", "HEAD:limits.ini") + "\n" == wanted, "limits.ini is not committed")
    place.expect(place.read("README.md") == "# Gateway\nAsk the office for a key.\n", "README.md has changed")
    place.expect("Say where keys come from" in place.git("log", "--format=%s"), "the history was rewritten")
    place.expect(place.git("status", "--porcelain", "--untracked-files=no") == "", "there are changes that are not committed")
