mkdir -p data/raw/may data/raw/june data/maps "data/old exports"
for number in 1 2 3 4; do
  head -c $((number * 3000)) /dev/zero > "data/raw/may/part$number.bin"
  head -c $((number * 2500)) /dev/zero > "data/raw/june/part$number.bin"
done
head -c 40000 /dev/zero > data/maps/north.map
head -c 300000 /dev/zero > "data/old exports/2019 all.dump"
head -c 45000 /dev/zero > data/maps/south.map
echo "maps and measurements" > data/README
