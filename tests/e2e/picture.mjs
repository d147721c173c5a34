// Takes the picture of a running call for the README: node tests/e2e/picture.mjs FILE.png

import { writeFileSync } from 'node:fs';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { portraitCamera } from './lib/page_portrait.mjs';
import { PEOPLE } from './lib/people.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';

const NAMES = ['Amina', 'Jonas', 'Mei', 'Tomás', 'Ingrid'];
const SKINS = [[124, 82, 56], [232, 190, 160], [238, 204, 168], [198, 146, 108], [240, 206, 184]];
const HAIRS = [[34, 26, 24], [120, 82, 46], [28, 24, 30], [52, 36, 26], [206, 168, 102]];

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node tests/e2e/picture.mjs FILE.png');
const weir = await startWeir();
const browser = await launchChromium();
try {
  const people = [];
  for (const [i, name] of NAMES.entries()) {
    const person = await chromiumPerson(browser, { ...PEOPLE[i], name }, weir.url);
    const look = { colour: PEOPLE[i].colour, skin: SKINS[i], hair: HAIRS[i], seed: i + 2 };
    await person.tab.context.addInitScript({ content: `(${portraitCamera})(${JSON.stringify(look)})` });
    people.push(await person.signIn());
  }
  const call = await people[0].initiate(people.slice(1));
  for (const person of people) await person.enter(call);
  const { page } = people[0].tab;
  await eventually('everybody is on the picture', () => page.evaluate((count) =>
    [...document.querySelectorAll('[data-source="camera"] video')].filter((video) => video.videoWidth > 320).length === count, NAMES.length), { within: 30_000 });
  await page.waitForTimeout(20_000); // Notes about who joined fade, pictures sharpen.
  writeFileSync(file, await page.screenshot());
} finally {
  await browser.close();
  await weir.stop();
}
