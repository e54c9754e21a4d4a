//! How the page looks, and whether it can be used, in light and dark mode and on a phone.

use fantoccini::{
    actions::{InputSource as _, KeyAction, KeyActions},
    key::Key,
};
use serde_json::{Value, json};

use super::page::{Page, with_page};

/// (name, width in pixels, colour scheme)
const SIGHTS: [(&str, u32, &str); 4] = [
    ("light", 1_200, "light"),
    ("dark", 1_200, "dark"),
    ("phone-light", 390, "light"),
    ("phone-dark", 390, "dark"),
];

#[actix_web::test]
async fn every_state_is_readable_in_light_and_dark_mode_and_on_a_phone() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.shows("#login-title", "Log in").await;
        look_at(page, "login").await;

        page.fill_in("#username", "alice").await;
        page.fill_in("#password", "wrong").await;
        page.press("#login button").await;
        page.shows("#message", "The name or the password is wrong.")
            .await;
        look_at(page, "login-refused").await;

        page.log_in("root", "correct-horse").await;
        page.shows("#message", "Welcome, root.").await;
        page.shows("#clock-status", "Live").await;
        look_at(page, "logged-in").await;

        for text in [
            "Buy tea",
            "A note of one very long word: \
             Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ] {
            page.fill_in("#text", text).await;
            page.press("#note button[value=fetch]").await;
            page.shows("#notes li", text).await;
        }
        page.browser.clear_cookies().await;
        page.open().await;
        page.log_in("root", "correct-horse").await;
        page.count("#sessions li", 2).await;
        page.press("#renew").await;
        page.shows("#message", "Both tokens are new.").await;
        page.shows("#clock-status", "Live").await;
        look_at(page, "two-sessions").await;

        page.fill_in("#bound-username", "root").await;
        page.fill_in("#bound-password", "correct-horse").await;
        page.press("#bound-login button").await;
        page.press("#use").await;
        page.shows("#vault", "200").await;
        look_at(page, "bound-token").await;
        page.press("#steal").await;
        page.shows("#vault", "401").await;
        look_at(page, "bound-token-stolen").await;

        page.press("#logout").await;
        page.shows("#message", "You are logged out.").await;
        look_at(page, "logged-out").await;

        // The page's own policy blocked nothing. The console only shows the refused logins and the refused token.
        let console = page.browser.console().await;
        let complaints = console
            .iter()
            .filter(|line| !line.contains("status of 401"));
        assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&String>::new());
    })
    .await;
}

/// Takes screenshots of this state, and checks what can be measured.
pub(super) async fn look_at(page: &Page, state: &str) {
    for (name, width, scheme) in SIGHTS {
        let what = format!("{state}-{name}");
        let size =
            json!({"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500});
        page.browser
            .devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.browser
            .devtools("Emulation.setEmulatedMedia", media)
            .await;
        page.browser.screenshot(&what).await;
        let scheme_of_page = page.run("return getComputedStyle(document.body).backgroundColor");
        let is_dark = luminance(&scheme_of_page.await) < 0.2;
        assert_eq!(is_dark, scheme == "dark", "{what}");
        let wide = page
            .run("return document.documentElement.scrollWidth - innerWidth")
            .await;
        assert!(wide.as_i64() <= Some(0), "{what} is too wide by {wide}");
        assert_eq!(page.run(PALE_TEXTS).await, json!([]), "{what}");
        assert_eq!(page.run(SMALL_TARGETS).await, json!([]), "{what}");
    }
    let unnamed = unnamed_controls(page).await;
    assert!(unnamed.is_empty(), "{state}: {unnamed:?}");
    for command in [
        "Emulation.clearDeviceMetricsOverride",
        "Emulation.setEmulatedMedia",
    ] {
        page.browser.devtools(command, json!({})).await;
    }
}

/// The approximate brightness of `rgb(…)`.
fn luminance(colour: &Value) -> f64 {
    let numbers = colour.as_str().expect("a colour").split(['(', ')', ',']);
    let numbers: Vec<f64> = numbers.filter_map(|n| n.trim().parse().ok()).collect();
    numbers.iter().take(3).sum::<f64>() / 765.0
}

/// Texts with less contrast than WCAG 2.2 requires (1.4.3), and edges of fields (1.4.11).
const PALE_TEXTS: &str = r"
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = channels(colour).map((it) => it / 255)
            .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    };
    const behind = (element) => {
        for (let it = element; it; it = it.parentElement) {
            const colour = getComputedStyle(it).backgroundColor;
            if ((channels(colour)[3] ?? 1) === 1) {
                return colour;
            }
        }
        return 'rgb(255, 255, 255)';
    };
    const pale = [];
    for (const element of document.body.querySelectorAll('*')) {
        const style = getComputedStyle(element);
        const texts = [...element.childNodes].filter((it) => it.nodeType === 3 && it.data.trim());
        if (!element.checkVisibility() || style.display === 'none') {
            continue;
        }
        const check = (colour, least, background) => {
            const found = contrast(colour, background);
            if (found < least) {
                pale.push(`${element.outerHTML.slice(0, 60)}: ${found.toFixed(2)}`);
            }
        };
        if (texts.length > 0) {
            check(style.color, 4.5, behind(element));
        }
        if (element.matches('input')) {
            check(style.color, 4.5, behind(element));
            check(style.borderTopColor, 3, behind(element.parentElement));
        }
    }
    return pale;";

/// Controls that are too small for a finger (WCAG 2.2, 2.5.5).
const SMALL_TARGETS: &str = "
    return [...document.querySelectorAll('button, input')]
        .filter((it) => it.checkVisibility() && it.getBoundingClientRect().height < 44)
        .map((it) => it.outerHTML);";

/// Controls without a name for screen readers.
async fn unnamed_controls(page: &Page) -> Vec<Value> {
    let tree = page
        .browser
        .devtools("Accessibility.getFullAXTree", json!({}))
        .await;
    let nodes = tree["nodes"].as_array().expect("a list");
    let role = |node: &Value| {
        node["role"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let shown = nodes.iter().filter(|node| node["ignored"] == false);
    let (mut controls, mut unnamed, mut roles) = (0, Vec::new(), Vec::new());
    for node in shown {
        let role = role(node);
        if ["button", "textbox", "region", "heading"].contains(&role.as_str()) {
            controls += 1;
            if node["name"]["value"].as_str().is_none_or(str::is_empty) {
                unnamed.push(node.clone());
            }
        }
        roles.push(role);
    }
    assert!(controls > 3, "{roles:?}");
    for landmark in ["banner", "main", "status"] {
        assert!(roles.iter().any(|role| role == landmark), "{landmark}");
    }
    unnamed
}

#[actix_web::test]
async fn the_page_can_be_used_with_the_keyboard_alone() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.shows("#login-title", "Log in").await;
        tab_to(page, "username").await;
        write(page, "alice").await;
        tab_to(page, "password").await;
        write(page, "wonderland").await;
        stroke(page, char::from(Key::Enter)).await;
        page.shows("#message", "Welcome, alice.").await;

        // The focus moves to the next step, and reaches everything from there.
        assert_eq!(
            page.run("return document.activeElement.id").await,
            "you-title"
        );
        tab_to(page, "renew").await;
        page.browser.screenshot("focus").await;
        stroke(page, ' ').await;
        page.shows("#message", "Both tokens are new.").await;
        assert_eq!(page.run("return document.activeElement.id").await, "renew");
        tab_to(page, "text").await;
        write(page, "typed").await;
        stroke(page, char::from(Key::Enter)).await;
        page.shows("#notes li", "typed").await;

        tab_to(page, "bound-username").await;
        write(page, "alice").await;
        tab_to(page, "bound-password").await;
        write(page, "wonderland").await;
        stroke(page, char::from(Key::Enter)).await;
        page.shows("#message", "bound to a key").await;
        assert_eq!(
            page.run("return document.activeElement.id").await,
            "bound-title"
        );
        tab_to(page, "use").await;
        stroke(page, ' ').await;
        page.shows("#vault", "200").await;
        tab_to(page, "steal").await;
        stroke(page, ' ').await;
        page.shows("#vault", "401").await;
        tab_to(page, "forget").await;
        stroke(page, ' ').await;
        page.shows("#message", "Token and key are forgotten.").await;
        assert_eq!(
            page.run("return document.activeElement.id").await,
            "bound-username"
        );

        page.run("document.getElementById('text').focus()").await;
        tab_to(page, "end-all").await;
        stroke(page, char::from(Key::Enter)).await;
        page.shows("#message", "All your sessions have ended.")
            .await;
        assert_eq!(
            page.run("return document.activeElement.id").await,
            "username"
        );
    })
    .await;
}

/// Presses Tab until this control has the focus and a visible focus ring.
async fn tab_to(page: &Page, id: &str) {
    let mut passed = Vec::new();
    for _ in 0..12 {
        stroke(page, char::from(Key::Tab)).await;
        let focus = page
            .run(
                "const it = document.activeElement;
                 const {outlineStyle, outlineWidth} = getComputedStyle(it);
                 return [it.id || it.textContent, `${outlineStyle} ${outlineWidth}`];",
            )
            .await;
        assert_eq!(focus[1], "solid 3px", "{focus}");
        if focus[0] == id {
            return;
        }
        passed.push(focus);
    }
    panic!("{id} is not among {passed:?}");
}

async fn write(page: &Page, text: &str) {
    for character in text.chars() {
        stroke(page, character).await;
    }
}

async fn stroke(page: &Page, value: char) {
    let keys = KeyActions::new("keyboard".to_owned())
        .then(KeyAction::Down { value })
        .then(KeyAction::Up { value });
    let stroke = page.browser.client.perform_actions(keys).await;
    stroke.expect("there is a keyboard");
}
