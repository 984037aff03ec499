/** Writes docs/openapi.json, the description of the admin API, from the built program. */
import { writeFileSync } from 'node:fs';
import { version } from '../dist/lib/core/version.js';
import { openApi } from '../dist/lib/admin/openapi.js';

writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(openApi(version), null, 2)}\n`);
