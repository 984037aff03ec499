/** A browser without a window, and the dashboard in it as an operator drives it. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Longer than anything in a page takes on a busy machine, ms. */
const PATIENCE_MS = 15_000;

const executable = findBrowser();
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Why tests with a browser cannot run here, for `skip`; false when they can. */
export const noBrowser: string | false = executable === null ? `none of ${NAMES.join(', ')} is installed` : false;

function findBrowser(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const path of NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there.
    }
  }
  return null;
}

/** The caller closes it. */
export function launchBrowser(): Promise<Browser> {
  if (executable === null) throw new Error(String(noBrowser));
  // Its sandbox is not for root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: executable, args });
}

/** The dashboard in a tab of its own. */
export class DashboardPage {
  readonly page: Page;
  /** What must never happen: errors of scripts, and what the page's policy forbade. */
  readonly mishaps: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', ({ message }) => this.mishaps.push(message));
    page.on('dialog', (dialog) => {
      this.mishaps.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/security policy|policy violation|trusted/i.test(message.text())) this.mishaps.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<DashboardPage> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const dashboard = new DashboardPage(await context.newPage());
    await dashboard.page.addInitScript(
      "document.addEventListener('securitypolicyviolation', (e) => console.error('policy violation', e.violatedDirective, e.blockedURI))",
    );
    await dashboard.page.goto(url);
    return dashboard;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Resolves when the state beside the name reads so. */
  async shows(state: 'Ready' | 'Degraded' | 'Not ready' | 'No contact' | 'Token needed'): Promise<void> {
    await this.page.locator('#pill', { hasText: new RegExp(`^${state}$`) }).waitFor();
  }

  /** The row of a frontend. */
  row(key: string): Locator {
    return this.page.locator('#frontends-list tbody tr').filter({
      has: this.page.locator('.key-name').getByText(key, { exact: true }),
    });
  }

  /** Resolves when the row of a frontend says this of it. */
  async frontendIs(key: string, text: RegExp, limitMs = PATIENCE_MS): Promise<void> {
    await this.row(key).filter({ hasText: text }).waitFor({ timeout: limitMs });
  }

  /** A backend on the page of its frontend. */
  backend(url: string): Locator {
    return this.page.locator('#explanation .backend-row').filter({ has: this.page.getByText(url, { exact: true }) });
  }

  /** Asks why, and resolves to what the page says of it. */
  async explain(host: string, path = '/'): Promise<string> {
    await this.page.getByLabel('Explain a host').fill(host);
    await this.page.getByLabel('Path').fill(path);
    await this.page.getByLabel('Path').press('Enter');
    await this.page.locator('#explanation-title', { hasText: host }).waitFor();
    await this.page.locator('#verdict').waitFor();
    return this.page.locator('#verdict').innerText();
  }

  async giveToken(token: string): Promise<void> {
    await this.page.locator('#token').fill(token);
    await this.page.getByRole('button', { name: 'Use this token' }).click();
  }

  /** Opens the editor of a frontend. */
  async edit(key: string): Promise<Locator> {
    await this.page.getByRole('button', { name: `Edit ${key}`, exact: true }).click();
    const editor = this.page.locator('#editor');
    await editor.waitFor();
    return editor;
  }

  /** What an expression gives in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T;
  }

  /** How many pixels are to be had by scrolling sideways. */
  sidewaysScroll(): Promise<number> {
    return this.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  }

  /** What axe-core finds wrong. */
  async axeFindings(): Promise<readonly string[]> {
    // Evaluated by the debugger, which the page's policy does not concern.
    await this.page.evaluate(axeSource);
    return this.evaluate(AXE_FINDINGS);
  }

  /** Whatever text has less contrast to what lies behind it than WCAG AA asks for, each with its ratio. */
  faintTexts(): Promise<readonly string[]> {
    return this.evaluate(FAINT_TEXTS);
  }
}

/** What axe-core, which checks rules of WCAG, finds in the page: rule and element. */
const AXE_FINDINGS = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 120))))`;

const FAINT_TEXTS = `(() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
      if (a !== 0) throw new Error('a background that one sees through');
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim() !== '');
    if (!hasText || element.disabled || !element.checkVisibility() || element.closest('svg, script, style, .skip')) continue;
    const [lighter, darker] = [luminance(parse(getComputedStyle(element).color).rgb), luminance(behind(element))].toSorted((a, b) => b - a);
    const ratio = (lighter + 0.05) / (darker + 0.05);
    if (ratio < 4.5) faint.push(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2) + ': ' + element.textContent.slice(0, 40));
  }
  return faint;
})()`;
