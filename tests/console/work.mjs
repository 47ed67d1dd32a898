// SPDX-License-Identifier: EUPL-1.2
// Work on incidents and on who is on call, node work.mjs WISHES (see console.py).
import { begin } from './house.mjs'
import { withOneIncident } from './incident.mjs'
import { withTheOnCall } from './oncall.mjs'
import { end } from './tap.mjs'

const house = await begin()
await house.ask('relax')
await withOneIncident(house)
await withTheOnCall(house)
await house.browser.close()
end()
