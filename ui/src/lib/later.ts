// SPDX-License-Identifier: EUPL-1.2
// Parts of the console that are fetched when somebody goes there. What cannot be had just now is asked
// for again. When Vaka answers and still has no such part it is another version by now, whose parts have
// other names: the console begins anew, where one was going.
import lazy from 'preact-iso/lazy'

const TRIES = 3
const WAIT = 500 // ms, longer each time
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
const answers = () =>
  fetch('/', { cache: 'no-store' }).then(
    (answer) => answer.ok,
    () => false
  )

export async function persist<T>(load: () => Promise<T>, renew = () => location.reload()) {
  for (let n = 1; ; n++) {
    try {
      return await load()
    } catch {
      await pause(Math.min(n, 10) * WAIT)
      if (n >= TRIES && (await answers())) renew()
    }
  }
}

export const later = <T>(load: () => Promise<{ default: T } | T>) => lazy<T>(() => persist(load))
