// SPDX-License-Identifier: EUPL-1.2
import { qrOf } from '../lib/qr'

const EDGE = 4 // light modules around it, as the standard asks

export default function Qr({ text, label }: { text: string; label: string }) {
  const square = qrOf(text)
  const size = square.length + 2 * EDGE
  const path = square
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + EDGE} ${y + EDGE}h1v1h-1z` : '')))
    .join('')
  return (
    <figure class="qr">
      <svg
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={label}
        shape-rendering="crispEdges"
      >
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" />
      </svg>
      <figcaption>{label}</figcaption>
    </figure>
  )
}
