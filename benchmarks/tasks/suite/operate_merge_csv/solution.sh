head -n 1 january.csv > quarter.csv
tail -q -n +2 january.csv february.csv march.csv | sort -u >> quarter.csv
