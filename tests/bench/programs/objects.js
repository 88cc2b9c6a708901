// SPDX-License-Identifier: GPL-2.0-only
// A program with a garbage collector: many small objects, of which a fiftieth is used all the time.
// Prints what requests.py prints. Usage: node objects.js OBJECTS
'use strict';
const BATCH = 200, PAUSE_MS = 50, HOT_SHARE = 50;
const count = Number(process.argv[2]);
const objects = new Map();
for (let i = 0; i < count; i++) objects.set(i, { id: i, name: `object ${i}`, values: new Array(64).fill(i) });
console.log('ready');

let units = 0, waited = 0n, told = process.hrtime.bigint(), dice = 1, sum = 0;
process.on('SIGTERM', () => process.exit(0));
setInterval(() => {
        const begun = process.hrtime.bigint();
        for (let i = 0; i < BATCH; i++) {
                dice = (dice * 1103515245 + 12345) % 2147483648;
                const object = objects.get(Math.floor(count / 2) + dice % Math.floor(count / HOT_SHARE));
                sum += object.values[i % 64] + object.name.length;
        }
        const now = process.hrtime.bigint();
        units += BATCH;
        waited += now - begun;
        if (now - told >= 1000000000n) {
                console.log(`work ${units} ${waited}`);
                told += 1000000000n;
        }
}, PAUSE_MS);
