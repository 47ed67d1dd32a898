// SPDX-License-Identifier: EUPL-1.2
// What is done to keep the watch good: rules, searches, sources, health, settings: node upkeep.mjs
// WISHES (see console.py).
import { withHealth } from './health.mjs'
import { begin } from './house.mjs'
import { withRules } from './rules.mjs'
import { withSearches } from './searches.mjs'
import { end } from './tap.mjs'

const house = await begin()
await house.ask('relax')
await withHealth(house)
await withSearches(house)
await withRules(house)
await house.browser.close()
end()
