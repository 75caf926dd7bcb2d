git init -q -b main
echo "# Gateway" > README.md
git add -A
git commit -q -m "Begin the gateway"
sed -i 's/requests = 100/requests = 120/' limits.ini
git commit -q -am "Allow more requests"
sed -i 's/requests = 120/requests = 9/; s/seconds = 30/seconds = 1/' limits.ini
echo "Limits are in limits.ini." >> README.md
git commit -q -am "Tune the limits"
echo "Ask the office for a key." >> README.md
git commit -q -am "Say where keys come from"
