// What one person gets of another over time, and questions about it.

import { startWatch } from './page_watch.mjs';
import { eventually, expectThat } from './wait.mjs';

export class Watch {
  static async start(person, other, { source = 'camera', everyMs = 200 } = {}) {
    const watch = new Watch();
    Object.assign(watch, { person, other, key: `${other.userId} ${source}` });
    const element = source === 'microphone' ? null : `tile-${source}-${other.userId}`;
    await person.tab.evaluate(startWatch, { userId: other.userId, source, element, everyMs });
    return watch;
  }

  // The page's time; read() takes it as the beginning or the end of what it answers for.
  now() {
    return this.person.tab.evaluate(() => performance.now());
  }

  // {samples, gaps, stalls} of a stretch of time.
  async read({ from = 0, to = Infinity } = {}) {
    const { samples, gaps, stalls } = await this.person.tab.evaluate((key) => {
      const { samples: all, gaps: closed, stalls: late, openGap } = window.watches[key];
      return { samples: all, gaps: openGap ? [...closed, openGap()] : closed, stalls: late };
    }, this.key);
    const touches = (one) => one.from + one.ms >= from && one.from <= to;
    return { samples: samples.filter(({ at }) => at >= from && at <= to), gaps: gaps.filter(touches), stalls: stalls.filter(touches) };
  }

  newest() {
    return this.person.tab.evaluate((key) => window.watches[key].samples.at(-1), this.key);
  }

  // Waits for a sample for which this holds, and returns it.
  until(what, isRight, { within }) {
    return eventually(`${this.person.name} gets ${this.other.name}: ${what}`, async () => {
      const newest = await this.newest();
      expectThat(newest, newest && isRight(newest));
      return newest;
    }, { within, every: 100 });
  }

  // Waits until this has held for so long; what holds for a moment is a probe's.
  async untilFor(what, isRight, { ms, within }) {
    let since = null;
    return this.until(`${what}, for ${ms} ms`, (newest) => {
      since = isRight(newest) ? (since ?? newest.at) : null;
      return since !== null && newest.at - since >= ms;
    }, { within });
  }

  // Waits for five more decoded frames.
  async moves({ within }) {
    const before = await this.newest();
    return this.until('motion', ({ frames }) => frames >= before.frames + 5, { within });
  }
}

// For people to read.
export const seconds = (ms) => (ms / 1_000).toFixed(1);

// What has changed between the first and the last sample, in figures for people.
export function summary({ samples, gaps, stalls }) {
  const [first, last] = [samples[0], samples.at(-1)];
  const spanS = (last.at - first.at) / 1_000;
  const grown = (name) => last[name] - first[name];
  return {
    seconds: Number(spanS.toFixed(1)), frames: grown('frames'), fps: Number((grown('frames') / spanS).toFixed(1)), kbps: Math.round((grown('bytes') * 8) / spanS / 1_000),
    freezes: grown('freezes'), frozenMs: Math.round(grown('frozenS') * 1_000), dropped: grown('dropped'),
    keys: grown('keys'), plis: grown('plis'), nacks: grown('nacks'), repaired: grown('repaired'), longestGapMs: Math.round(Math.max(0, ...gaps.map(({ ms }) => ms))),
    bufferMs: Math.round((grown('delayS') * 1_000) / Math.max(1, grown('emitted'))),
    lowest: Math.min(...samples.map(({ height }) => height)), highest: Math.max(...samples.map(({ height }) => height)),
    samplesPerS: Math.round(grown('samples') / spanS), concealed: Number((grown('concealed') / Math.max(1, grown('samples'))).toFixed(4)),
    stallMs: Math.round(stalls.reduce((sum, { ms }) => sum + ms, 0)),
  };
}
