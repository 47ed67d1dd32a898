// SPDX-License-Identifier: EUPL-1.2
// Gives a file to who sits here.
const KEPT_FOR = 60_000 // ms

export function saveFile(name: string, type: string, parts: string[]) {
  const url = URL.createObjectURL(new Blob(parts, { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), KEPT_FOR)
}
