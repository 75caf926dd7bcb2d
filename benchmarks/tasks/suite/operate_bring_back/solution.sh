git checkout -q HEAD~1 -- limits.ini
git commit -q -m "Bring back the limits"
