// SPDX-License-Identifier: EUPL-1.2
// Who and what alerts name, in layers: users, computers, addresses and the rest; two are connected when
// one alert names both.

export interface Node {
  name: string
  kind: string
  alerts: number
  layer: number
  at: number // from the top of its layer
}
export interface Edge {
  from: Node
  to: Node
  alerts: number
}
export interface Graph {
  nodes: Node[]
  edges: Edge[]
  layers: number
}

export interface Named {
  kind: string
  name: string
  alerts: number
}

const LAYERS: Record<string, number> = { user: 0, host: 1, address: 2 }
const LAST = 3

// As Vaka compares names: small letters; of a computer its first label is enough.
function find(nodes: Map<string, Node>, value: string): Node | undefined {
  const small = value.toLowerCase()
  return nodes.get(small) ?? nodes.get(small.split('.')[0] ?? '')
}

export function layOut(names: Named[], alerts: string[][], most: number): Graph {
  const filled = new Map<number, number>()
  const nodes = new Map<string, Node>()
  for (const n of names) {
    const layer = LAYERS[n.kind] ?? LAST
    const at = filled.get(layer) ?? 0
    if (at >= most) continue
    filled.set(layer, at + 1)
    nodes.set(n.name, { ...n, layer, at })
  }
  const edges = new Map<string, Edge>()
  for (const values of alerts) {
    const found = [...new Set(values.map((v) => find(nodes, v)))].filter((n) => n !== undefined)
    for (const [i, a] of found.entries())
      for (const b of found.slice(i + 1)) {
        const [from, to] = a.layer <= b.layer ? [a, b] : [b, a]
        if (from.layer === to.layer) continue
        const key = JSON.stringify([from.name, to.name])
        const edge = edges.get(key) ?? { from, to, alerts: 0 }
        edge.alerts++
        edges.set(key, edge)
      }
  }
  // Who is connected with nobody, and a layer that nobody is in, take no room.
  const joined = new Set([...edges.values()].flatMap((e) => [e.from, e.to]))
  const left = [...nodes.values()].filter((node) => joined.has(node))
  const used = [...new Set(left.map((node) => node.layer))].sort((a, b) => a - b)
  const rows = new Map<number, number>()
  for (const node of left) {
    node.layer = used.indexOf(node.layer)
    node.at = rows.get(node.layer) ?? 0
    rows.set(node.layer, node.at + 1)
  }
  return { nodes: left, edges: [...edges.values()], layers: used.length }
}
