import { LabIcon } from '@jupyterlab/ui-components';

/** A face in a frame with a mark beside it: a claim about faces that was checked. */
export const benchIcon = new LabIcon({
  name: 'face-workbench:bench',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M4 3h5v2H5v4H3V4a1 1 0 0 1 1-1zm11 0h5a1 1 0 0 1 1 1v5h-2V5h-4zM3 15h2v4h4v2H4a1 1 0 0 1-1-1z"/>
    <circle cx="9.2" cy="10" r="1.3"/><circle cx="14.8" cy="10" r="1.3"/>
    <path d="M8 14.2c1.2 1.6 3.6 2.2 5.6 1.3l.7 1.5c-2.800 1.300-6.100.5-7.800-1.800z"/>
    <path d="M16.600 22.200l-3.300-3.300 1.300-1.300 2 2 4.800-4.800 1.300 1.300z"/>
  </g>
</svg>`
});
