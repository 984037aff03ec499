/** Draws the dashboard's pictures for the documents: docs/dashboard-*.png. Needs a browser, and a build. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRealistic } from '../dist/test/dashboard/realistic.js';
import { DashboardPage, launchBrowser } from '../dist/test/support/browser.js';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const LARGE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const PICTURES = [
  { name: 'dashboard-light.png', options: { viewport: LARGE, colorScheme: 'light' } },
  { name: 'dashboard-dark.png', options: { viewport: LARGE, colorScheme: 'dark' }, host: 'api.example.com' },
  {
    name: 'dashboard-phone.png',
    options: { viewport: PHONE, colorScheme: 'light', reducedMotion: 'reduce' },
    anchor: 'frontends',
  },
];

const stub = await startRealistic();
const browser = await launchBrowser();
try {
  for (const { name, options, host, anchor } of PICTURES) {
    const dashboard = await DashboardPage.open(browser, stub.url, options);
    await dashboard.shows('Ready');
    await dashboard.row('www.example.com').waitFor();
    if (host !== undefined) await dashboard.explain(host);
    if (anchor !== undefined) await dashboard.page.goto(`${stub.url}#${anchor}`);
    await dashboard.page.screenshot({ path: join(docs, name) });
    await dashboard.close();
    console.log(`docs/${name}`);
  }
} finally {
  await browser.close();
  await stub.goAway();
}
