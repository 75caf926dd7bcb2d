def verify(place):
    place.expect(place.git("log", "-1", "--format=%s") == "Explain the set-up", "the last commit has another message")
    place.expect(place.git("rev-list", "--count", "HEAD") == "2", "there is not one more commit")
    changed = place.git("show", "--format=", "--name-only", "HEAD")
    place.expect(changed == "README.md", f"the commit has {changed}")
    place.expect("Set-up" in place.git("show", "HEAD:README.md"), "the change is not in the commit")
    place.expect("light" in place.read("station.py"), "the change in station.py is lost")
    place.expect("station.py" in place.git("diff", "--name-only"), "station.py is not left as a change")
    place.expect(place.exists("notes.txt"), "notes.txt is gone")
