/** Runs in the head of the page, so that the browser never paints it in another theme first. */
import { restoreTheme } from './theme.ts';

restoreTheme();
