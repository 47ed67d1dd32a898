// SPDX-License-Identifier: EUPL-1.2
// From when to when: as it is asked for and stands in addresses, `-24h` or a moment.
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }
export const ANY = 'any'
export const RANGES = ['-15m', '-1h', '-24h', '-7d', '-30d', ANY] as const
export const USUAL = '-24h'

export interface Range {
  from?: string | undefined
  to?: string | undefined
}

// What the API is asked for.
export function askedRange({ from, to }: Range): Range {
  return { ...(from !== ANY && { from: from ?? USUAL }), ...(to && { to }) }
}

// In seconds; undefined for what only the server understands.
export function momentOf(text: string | undefined, now: number): number | undefined {
  const back = /^-(\d+)([smhdw])$/.exec(text ?? '')
  if (back) return now - Number(back[1]) * (UNITS[back[2] as string] as number)
  const at = text ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at / 1000
}

const STEPS = ['1s', '5s', '15s', '1m', '5m', '15m', '1h', '3h', '12h', '1d', '1w'] as const
export type Step = (typeof STEPS)[number]
export const secondsOf = (step: Step) =>
  Number.parseInt(step, 10) * (UNITS[step.at(-1) as string] as number)

// A step that makes some sixty of so many seconds.
export function stepOf(seconds: number): Step {
  return STEPS.find((step) => secondsOf(step) * 75 >= seconds) ?? '1w'
}

export const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
