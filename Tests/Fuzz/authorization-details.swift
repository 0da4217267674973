// What is asked for in detail says what its scopes say, and nothing else.

import OAuth
import StrictJSON

func authorizationDetails(_ input: [UInt8]) throws {
    do throws(OAuth2Refusal) {
        let read = try AuthorizationDetails(parsing: text(input))
        hold((1...32).contains(read.details.count), "details are 1 to 32")
        hold(read.details.allSatisfy { !$0.actions.isEmpty && !$0.device.isEmpty }, "a detail has a device and actions")
        hold(try AuthorizationDetails(parsing: read.json.text) == read, "details written again read the same")
        hold(
            read.scopes.allSatisfy { isPrintable($0) && !$0.contains(" ") && $0.split(separator: "@").count == 2 },
            "each scope is one token")
        let again = AuthorizationDetails(scopes: read.scopes, location: "https://home.example")
        hold(Set(again.scopes) == Set(read.scopes), "scopes say the same")
    } catch { judge(error) }
}
