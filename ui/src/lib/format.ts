// SPDX-License-Identifier: EUPL-1.2
// Numbers, times and order as people here write them; times are those of Sweden, wherever one sits.
import { signal } from '@preact/signals'
import { language } from './prefs'

const ZONE = 'Europe/Stockholm'
export const locale = () => (language.value === 'sv' ? 'sv-SE' : 'en-GB')

// Making one takes long; there are few.
const made = new Map<string, unknown>()
function once<T>(name: string, make: (locale: string) => T): T {
  const key = `${name} ${locale()}`
  if (!made.has(key)) made.set(key, make(locale()))
  return made.get(key) as T
}

export function formatNumber(n: number, digits = 0): string {
  const make = (l: string) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })
  return once(`number${digits}`, make).format(n)
}

export function formatPercent(part: number): string {
  const make = (l: string) => new Intl.NumberFormat(l, { style: 'percent' })
  return once('percent', make).format(part)
}

export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const unit = units[step] as string
  const unitDisplay = step === 0 ? 'long' : 'short'
  const make = (l: string) =>
    new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 1 })
  return once(unit, make).format(bytes / 1000 ** step)
}

const SHAPES = {
  // What stands in lists: this year needs no year.
  short: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  second: {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit'
  },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { hour: '2-digit', minute: '2-digit' },
  date: { day: 'numeric', month: 'short' },
  weekday: { weekday: 'short' },
  day: { weekday: 'long', day: 'numeric', month: 'long' },
  whole: {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short'
  }
} satisfies Record<string, Intl.DateTimeFormatOptions>
export type TimeShape = keyof typeof SHAPES
const THIS_YEAR: ReadonlySet<TimeShape> = new Set(['short', 'second', 'date'])

export function formatTime(at: Date, shape: TimeShape = 'short'): string {
  const other = THIS_YEAR.has(shape) && at.getFullYear() !== new Date(now.peek()).getFullYear()
  const make = (l: string) => {
    const year = other ? ({ year: 'numeric' } as const) : {}
    return new Intl.DateTimeFormat(l, { ...SHAPES[shape], ...year, timeZone: ZONE })
  }
  return once(other ? `${shape} of a year` : shape, make).format(at)
}

// A moment as it is written here: 2026-12-24 08:00, by the clocks of Sweden.
export function formatWall(at: Date): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'short',
    timeZone: ZONE
  })
  return parts.format(at)
}

// The other way; null for what is no moment. Of a time that there is twice, the earlier one.
export function parseWall(text: string): Date | null {
  const found = /^\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)\s*$/.exec(text)
  const asked = found ? Date.parse(`${found[1]}T${found[2]}Z`) : Number.NaN
  if (Number.isNaN(asked)) return null
  const shift = (at: number) => Date.parse(`${formatWall(new Date(at)).replace(' ', 'T')}Z`) - at
  const summer = asked - shift(asked - shift(asked))
  return new Date(summer)
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1]
]

export function formatAgo(seconds: number): string {
  const make = (l: string) => new Intl.RelativeTimeFormat(l, { numeric: 'auto', style: 'short' })
  const [unit, size] = STEPS.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1]
  return once('ago', make).format(Math.trunc(seconds / size), unit)
}

// "3 h 12 min": how long something takes, or is left.
export function formatSpan(seconds: number): string {
  const s = Math.abs(Math.trunc(seconds))
  const days = Math.trunc(s / 86400)
  const hours = Math.trunc(s / 3600) % 24
  const minutes = Math.trunc(s / 60) % 60
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min` : `${s} s`
}

export function compare(a: string, b: string): number {
  return once('order', (l) => new Intl.Collator(l, { numeric: true })).compare(a, b)
}

// What is relative to now is drawn anew as it passes.
export const now = signal(Date.now())
export function keepTime() {
  setInterval(() => {
    now.value = Date.now()
  }, 10_000)
}
