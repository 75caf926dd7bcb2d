git add README.md
git commit -q -m "Explain the set-up"
