// SPDX-License-Identifier: EUPL-1.2
// Figures over time, drawn by uPlot, which is fetched with this file. What it shows stands in a table
// beside it as well; a piece of it that is dragged over is told.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { formatNumber, formatTime } from '../lib/format'
import { language, theme } from '../lib/prefs'

export interface ChartSeries {
  name: string
  values: (number | null)[]
}
export interface ChartProps {
  label: string
  times: number[] // seconds, each the beginning of a step
  step: number
  series: ChartSeries[]
  lines?: boolean
  height?: number
  onRange?: ((from: number, to: number) => void) | undefined
}

const COUNTS_APART = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((n) =>
  [1, 2, 5].map((m) => m * 10 ** n)
)
const HUES = ['--accent', '--high', '--well', '--critical', '--medium', '--ink-quiet', '--low']
const ZONE = 'Europe/Stockholm'

// A colour as it is now: `light-dark()` is resolved by the browser alone.
function colourOf(box: HTMLElement, name: string): string {
  const before = box.style.color
  box.style.color = `var(${name})`
  const found = getComputedStyle(box).color
  box.style.color = before
  return found
}

function axis(
  box: HTMLElement,
  text: (n: number, apart: number) => string,
  size: number
): uPlot.Axis {
  return {
    stroke: colourOf(box, '--ink-quiet'),
    grid: { stroke: colourOf(box, '--line'), width: 1 },
    ticks: { show: false },
    font: '13px "Vaka Sans", sans-serif',
    gap: 6,
    size,
    values: (_, at, __, ___, apart) => at.map((n) => (n === null ? '' : text(n, apart)))
  }
}

const MINUTE = 60
const DAY = 86400
const APART = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200]
const DAYS_APART = [1, 2, 7, 14, 28, 91, 182, 365].map((days) => days * DAY)

// A day where it begins, else the time.
function timeText(s: number, apart: number): string {
  const at = new Date(s * 1000)
  const clock = formatTime(at, 'minute')
  if (apart >= DAY || /^00\D00$/.test(clock)) return formatTime(at, 'date')
  return apart >= MINUTE ? clock : formatTime(at, 'clock')
}

function options(box: HTMLElement, p: ChartProps): uPlot.Options {
  const bars = uPlot.paths.bars?.({ size: [0.86, 60], align: 1, gap: 1 })
  return {
    width: box.clientWidth,
    height: p.height ?? 120,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), ZONE),
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: !!p.onRange, y: false, setScale: false }
    },
    scales: {
      x: { range: () => [p.times[0] ?? 0, (p.times.at(-1) ?? 0) + p.step] },
      y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] }
    },
    axes: [
      {
        ...axis(box, timeText, 26),
        space: 90,
        incrs: [...APART, ...DAYS_APART].filter((apart) => apart >= p.step)
      },
      { ...axis(box, (n) => formatNumber(n), 58), space: 34, incrs: COUNTS_APART }
    ],
    series: [
      {},
      ...p.series.map((_, n) => {
        const colour = colourOf(box, HUES[n % HUES.length] as string)
        if (p.lines) return { stroke: colour, width: 2, points: { show: p.times.length < 3 } }
        return {
          stroke: colour,
          fill: colour,
          width: 0,
          points: { show: false },
          ...(bars && { paths: bars })
        }
      })
    ],
    hooks: {
      setSelect: [
        (chart) => {
          if (chart.select.width < 3) return
          const from = chart.posToVal(chart.select.left, 'x')
          const to = chart.posToVal(chart.select.left + chart.select.width, 'x')
          const whole = Math.floor(from / p.step) * p.step
          p.onRange?.(whole, Math.max(whole + p.step, Math.ceil(to / p.step) * p.step))
        }
      ]
    }
  }
}

// Lines fall to nothing where there are no steps: they would lead over it as if there were.
function withGaps({ times, step, series }: ChartProps): uPlot.AlignedData {
  const ends = times.flatMap((at, n) => {
    const next = times[n + 1] ?? at
    return next - at > step ? [at + step, next - step] : []
  })
  const all = [...new Set([...times, ...ends])].sort((a, b) => a - b)
  const index = new Map(times.map((at, n) => [at, n]))
  const valueAt = (values: (number | null)[], at: number) => values[index.get(at) ?? -1] ?? 0
  return [all, ...series.map((s) => all.map((at) => valueAt(s.values, at)))]
}

export default function Chart(p: ChartProps) {
  const ref = useRef<HTMLDivElement>(null)
  const key = JSON.stringify([p.times, p.series, p.step, p.lines])
  const look = `${theme.value} ${language.value}`
  useEffect(() => {
    const box = ref.current
    if (!box) return
    const data = p.lines
      ? withGaps(p)
      : ([p.times, ...p.series.map((s) => s.values)] as uPlot.AlignedData)
    const chart = new uPlot(options(box, p), data, box)
    const fit = new ResizeObserver(() => {
      if (box.clientWidth) chart.setSize({ width: box.clientWidth, height: p.height ?? 120 })
    })
    fit.observe(box)
    return () => {
      fit.disconnect()
      chart.destroy()
    }
  }, [key, look])
  return <div ref={ref} class="chart" role="img" aria-label={p.label} />
}
