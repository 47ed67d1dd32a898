// SPDX-License-Identifier: EUPL-1.2
// What browsers have and Node has not.
const kept = new Map<string, string>()
Object.assign(globalThis, {
  localStorage: {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value)
  },
  location: { origin: 'https://vaka.example' }
})
