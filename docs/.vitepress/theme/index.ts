/** The default theme, with colours and a few rules of its own. */
import DefaultTheme from "vitepress/theme"
import "./style.css"

export default DefaultTheme
