// The repository root, seen from a compiled test.
import { fileURLToPath } from 'node:url'

/** Relative to `test/dist/e2e/kit/repository-root.js`. */
export const REPOSITORY_ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
