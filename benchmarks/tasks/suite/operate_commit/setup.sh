git init -q -b main
git config user.name "Sam Doe"
git config user.email sam@example.com
git add -A
git commit -q -m "Show the sensors"
printf '\n## Set-up\n\nCopy station.ini.example to station.ini and name your sensors there.\n' >> README.md
sed -i 's/"rain"/"rain", "light"/' station.py
echo "try the new sensor at night" > notes.txt
