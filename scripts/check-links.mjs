// Checks that the file behind each link in our Markdown exists, so that "Where is it?" stays true.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, listFiles } from './repository.mjs'

const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g

/** @returns {Promise<string[]>} the faults */
export async function checkLinks() {
  return listFiles('.', (path) => path.endsWith('.md')).flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return [...text.matchAll(LINK)]
      .map(([, target]) => target)
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path}: ${target} does not exist`)
  })
}
