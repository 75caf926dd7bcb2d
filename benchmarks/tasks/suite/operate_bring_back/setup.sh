git init -q -b main
git config user.name "Sam Doe"
git config user.email sam@example.com
echo "# Gateway" > README.md
git add -A
git commit -q -m "Begin the gateway"
sed -i 's/requests = 100/requests = 120/' limits.ini
git commit -q -am "Allow more requests"
git rm -q limits.ini
echo "Ask the office for a key." >> README.md
git commit -q -am "Say where keys come from"
